"""The networks, in plain Keras: one skeleton, input head -> backbone -> output head.

The problem brings the heads (how numbers or tokens enter, what the output means), the model brings the backbone, so
any backbone meets any problem. Everything is built from stock layers and `keras.ops`: a saved model loads in any
Keras 3, without Lookback, takes the values of the file and answers in its unit.
"""
