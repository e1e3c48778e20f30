"""Build the study page: Python collects the numbers; a new view goes into `page/views/`.

A page view is a module in `study/page/views`, registered in `study/page/main.js`.
"""
