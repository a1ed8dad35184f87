"""The local model: the only rooms that import llama_cpp.

gguf       what a model file says about itself, and whether it is whole; without llama_cpp
adapter    an adapter as other engines load it; without llama_cpp
memory     how much memory a model may take; without llama_cpp
sampling   how the next token is chosen; without llama_cpp
scheduler  which rows are computed next, in which slots; without llama_cpp
backend    llama.cpp itself, made ready and kept off the terminal
context    llama.cpp's context, divided into slots
states     llama.cpp's context, as what a text leaves in it
runner     the worker thread that computes rows
weights    a loaded model: its chat template, its tokens, its speech
stopping   tokens' bytes -> text, ended before a stop word
chat       ChatLlama, the LangChain chat model
merge      a model with an adapter in its weights, for other engines
pace       how fast a model is on this machine
"""

import os

# Threads that wait for each other must sleep, not spin. With spinning, the library's default, any
# other busy program on the same cores made the model up to thirty times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
