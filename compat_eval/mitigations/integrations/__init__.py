"""Parts of mitigations for a training run of one's own.

`teacher_logits` needs no framework; `pytorch`, `huggingface` and `scikit_learn` each
need theirs.
"""
