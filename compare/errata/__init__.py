"""Every slip of the article: as printed, corrected, and a run that shows the difference."""
