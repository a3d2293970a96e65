"""Lookback: does a recurrent network earn its keep on your sequences? An honest, fast comparison."""
