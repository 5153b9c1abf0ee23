# The application of mod_wsgi beside Tests/Fixtures/FixtureBench: the same answers.
import json

LARGE = b"x" * (10 << 20)
BINARY = "application/octet-stream"


def memory(environ, start_response):
    start_response("200 OK", [("Content-Type", BINARY), ("Content-Length", str(len(LARGE)))])
    return [LARGE]


def chunks(environ, start_response):
    start_response("200 OK", [("Content-Type", BINARY)])
    return (LARGE[start : start + 65536] for start in range(0, len(LARGE), 65536))


def file(environ, start_response):
    start_response("200 OK", [("Content-Type", BINARY), ("Content-Length", str(len(LARGE)))])
    return environ["wsgi.file_wrapper"](open(__file__.replace("bench.wsgi", "large"), "rb"), 65536)


def upload(environ, start_response):
    size = 0
    while piece := environ["wsgi.input"].read(65536):
        size += len(piece)
    return text(start_response, size)


def headers(environ, start_response):
    return text(start_response, sum(len(value) for name, value in environ.items() if name.startswith("HTTP_")))


def records(environ, start_response):
    values = [{"id": i, "name": f"name of record {i}", "even": i % 2 == 0, "values": [1, 2, 3, 4]} for i in range(24)]
    body = json.dumps(values).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def text(start_response, value):
    body = f"{value}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


PATHS = {"/memory": memory, "/chunks": chunks, "/file": file, "/upload": upload, "/headers": headers, "/json": records}


def application(environ, start_response):
    return PATHS[environ["PATH_INFO"]](environ, start_response)
