"""Numbers that know how they came about, for the lines that are written once to run on.

A `number` holds a float and the operation that made it, `arrays` are arrays of them with a
namespace of their own, `watching` sees what the lines call their numbers, `formula` writes down how
one came about, and `program` makes what was recorded run elsewhere.
"""
