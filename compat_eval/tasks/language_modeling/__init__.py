"""Language modelling: how well a model predicts documents."""
