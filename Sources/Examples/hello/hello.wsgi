# The entry file of the example "hello": what WSGIScriptAlias points at.
bundle = hello.so
