"""A model server that the user names: the one room from which words leave this process.

The server is another program, on this machine or another one, that speaks OpenAI's protocol: vLLM,
SGLang, llama.cpp's server, Ollama. It words answers. Ear, safety, retrieval and review stay here.

address  which server the settings name, and whether words may go there
model    the LangChain chat model that asks it
"""
