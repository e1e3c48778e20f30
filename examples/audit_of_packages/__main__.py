"""Print the audit: `python -m examples.audit_of_packages`."""

from examples.audit_of_packages import report

print(report())
