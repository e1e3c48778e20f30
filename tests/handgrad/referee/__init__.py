"""The referee's truth, held to what is known without it."""
