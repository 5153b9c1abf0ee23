# The entry file of the example "upload": what WSGIScriptAlias points at.
bundle = upload.so
