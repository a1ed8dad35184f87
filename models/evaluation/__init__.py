"""Measures of the program: every area is a module whose ``report(data)`` returns Markdown."""
