"""How results read: on a terminal, in a document, and set side by side."""
