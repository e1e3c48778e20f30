"""The documentation as a site that works from disk: `python -m website` builds it from `docs/`.

Zensical makes the pages, from copies of the documents in which links to the repository's files lead
to pages that show these files. The formulas are MathML, and nothing is loaded from a network.
"""
