"""Vectors that exist: files, FAISS's indices, tables of stores; read, never written."""
