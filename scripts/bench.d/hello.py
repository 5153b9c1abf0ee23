# The application of mod_wsgi and uWSGI: the same answer as Sources/Examples/hello.


def application(environ, start_response):
    body = b"Hello, world!\n"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
