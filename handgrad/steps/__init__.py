"""Which step of a backward pass is wrong: every forward and backward pair judged by itself."""
