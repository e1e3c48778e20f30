"""What users of PyTorch hand over: arguments, functions with their own rules, modules, losses."""
