"""Surefoot's defaults beside scikit-learn's, on public tables."""
