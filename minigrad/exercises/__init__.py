"""Exercises that teach backprop: from the chain rule to checkpointing, each graded with a diagnosis.

An exercise is one Markdown file in ``catalogue/``: text, stub, solution, grading, hints and mutants. Read ``exercise`` (what
such a file holds), ``draws`` (inputs by letters), ``grading`` (how answers are judged), ``judge`` (how they are run),
``workspace`` (the learner's folder), ``authoring`` (how a teacher makes and proves an exercise), ``cli``.
"""
