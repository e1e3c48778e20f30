"""The article's errata: each as printed, corrected, and with a run that shows the difference.

An erratum is a decorated function in one of the modules that `catalogue` goes through.
"""
