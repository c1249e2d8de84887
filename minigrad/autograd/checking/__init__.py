"""The gradient checker, from the ground up: numeric slopes, what they are compared with, and what a difference means.

Read ``numeric`` (how to differentiate without a rule), ``problem`` (a function and a rule on plain arrays), ``compare``
(which entries differ, by how much more than the numeric error), then the tiers of the diagnosis: ``protocol`` (A),
``structure``, ``terms`` and ``uses`` (B), ``mutate`` (C), and ``report`` (how it is told).
"""
