# The entry file of the example "clock": what WSGIScriptAlias points at.
bundle = clock.so
