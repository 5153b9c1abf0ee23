public import SWSGI

/// Tells the time of day, in UTC, once a second for as long as the client stays.
///
/// - `/` is a page that shows the clock;
/// - `/events` is what the page listens to (text/event-stream);
/// - `/plain` is the same for a terminal: `curl -N http://localhost/clock/plain`.
///
/// Each client that listens holds one request thread of the process.
@c public func application() -> ExportedApplication { export(Clock()) }

private struct Clock: Application {
    func respond(to request: Request) throws -> Response {
        switch request.path {
        case "", "/": .html(page(events: request.scriptName + "/events"))
        case "/events": ticking("text/event-stream") { "data: \($0)\n\n" }
        case "/plain": ticking("text/plain; charset=utf-8") { "\($0) UTC\n" }
        default: throw HTTPError(.notFound)
        }
    }

    /// Ends when the client has gone: then `write` throws.
    private func ticking(_ type: String, _ format: @escaping (Time) -> String) -> Response {
        var response = Response.stream(type: type) { writer in
            while !writer.isCancelled {
                try writer.write(format(.now))
                sleepUntilNextSecond()
            }
        }
        response.headers["Cache-Control"] = "no-store"
        return response
    }

    private func page(events: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Clock</title>
        <style>
        body { min-height: 90vh; display: grid; place-items: center; font-family: system-ui; color: #1d2433 }
        main { text-align: center }
        time { display: block; font-size: 16vw; font-weight: 200; font-variant-numeric: tabular-nums }
        </style>
        <main>
        <time id="clock" data-events="\(HTML.escape(events))">--:--:--</time>
        Coordinated Universal Time (UTC)
        </main>
        <script>
        const clock = document.getElementById("clock");
        new EventSource(clock.dataset.events).onmessage = event => clock.textContent = event.data;
        </script>
        </html>

        """
    }
}
