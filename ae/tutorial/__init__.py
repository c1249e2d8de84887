"""The tutorial: nineteen chapters that take up where "how do we measure our reconstruction loss?" leaves off.

`chapters/` holds them as Markdown with Python blocks. `python -m ae tutorial` runs them and writes notebooks with their
outputs, and pages that need nothing but a browser. `lesson` and `graph` are what the chapters themselves import.
"""
