"""The gradient checker, from the ground up: numeric slopes, what they are compared with, and what a difference means.

Read ``numeric`` (how to differentiate without a rule; ``complex_step`` where that is sound), ``problem`` and ``tensors`` (a
function and its rule on plain arrays), ``compare``, ``kinks`` and ``large`` (which entries differ, and which have no slope). Then
the tiers of the names: A ``protocol`` and ``shapes``; B ``view``, ``structure``, ``masks``, ``terms`` and ``uses``; C ``edits``,
``mutate`` and ``known``, on ``text``. ``check``, ``naming``, ``telling`` and ``examine`` put them together, ``report`` prints;
``diagnose`` and ``second`` are what users meet, beside ``gradcheck`` above.
"""
