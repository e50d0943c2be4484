"""Loss functions of trainings: pure functions of outputs, targets and a teacher.

The loss of a classifier is chosen by the setting `objective`, a name in `OBJECTIVES`:
one published method a file. A teacher's outputs and weights are columns of the training
examples, which the objective names. Every loss is a mean over all examples of a batch;
what is done over classes is part of its definition.
"""
