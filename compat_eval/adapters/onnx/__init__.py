"""`onnx:` — exported classifiers and encoders of texts, for onnxruntime."""
