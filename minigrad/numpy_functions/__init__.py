"""NumPy's functions on tensors, where NumPy's arguments or meaning differ from those of the operations.

Every function in here has the name, the argument names and the meaning of NumPy's function; its one task is to say the same
in the words of ``minigrad/ops``. Arguments that ask for something else (``out``, ``where``, ``subok`` ...) are left out, so
that giving one raises TypeError. NumPy's documentation is the documentation of each.
"""
