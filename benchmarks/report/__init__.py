"""Format results for a terminal or a document, and format comparisons."""
