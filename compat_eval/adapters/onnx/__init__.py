"""ONNX classifiers: `onnx:`."""
