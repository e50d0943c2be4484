"""Suites: YAML read into a validated `Suite`, and its data into `Examples`.

`catalogue` and `yaml.document` import nothing heavy, so that a list of suites is
quick; `load`, `examples` and what they use may import pydantic, numpy and Arrow.
"""
