"""What `handgrad` can be asked to do, a command a file."""
