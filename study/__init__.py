"""Build the study page, an interactive derivation in one HTML file, from `compare.trace`.

A page view is a module in `study/page/views`, registered in `study/page/main.js`.
"""
