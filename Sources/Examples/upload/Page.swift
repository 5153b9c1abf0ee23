import SWSGI

/// The page with the form, and with what has come of the last one.
struct Page {
    let place: String
    var name = ""
    var stored: Stored?
    var complaint: String?
    var status = Status.ok

    var response: Response {
        var response = Response.html(html, status: status)
        response.headers["Content-Security-Policy"] =
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    }

    private var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Upload</title>
        <style>\(style)</style>
        <main>
        <h1>Upload</h1>
        \(outcome)
        <form method="post" action="\(HTML.escape(place))" enctype="multipart/form-data">
        <label>A file of any size <input type="file" name="file" required></label>
        <button>Store</button>
        </form>
        <p>Or with curl, NAME being yours:</p>
        <pre>curl -T NAME <i>this page</i>/NAME
        curl -O <i>this page</i>/NAME
        curl -X DELETE <i>this page</i>/NAME</pre>
        </main>
        </html>

        """
    }

    private var outcome: String {
        if let complaint { return "<p class=\"complaint\" role=\"alert\">\(HTML.escape(complaint))</p>" }
        guard let stored else { return "" }
        let name = HTML.escape(name)
        return "<p role=\"status\">Stored <a href=\"\(HTML.escape(place))\(name)\" download>\(name)</a>: \(stored)</p>"
    }

    private var style: String {
        """
        body { margin: 0; color: #1d2433; background: #f5f6f8; font: 17px/1.5 system-ui, sans-serif }
        main { max-width: 38rem; margin: 0 auto; padding: 2rem 1.2rem }
        h1 { font-weight: 400; font-size: 2rem; margin: 0 0 1rem }
        form { background: #fff; border: 1px solid #d5d9e0; border-radius: 8px; padding: 1rem }
        label { display: block; margin: 0 0 .8rem }
        input { display: block; max-width: 100%; margin: .4rem 0 0; font: inherit }
        button { font: inherit; color: #fff; background: #27488f; border: 0; border-radius: 5px; padding: .5rem 1.4rem }
        pre { overflow-x: auto; background: #fff; border: 1px solid #d5d9e0; border-radius: 8px; padding: 1rem }
        p { overflow-wrap: anywhere }
        .complaint { color: #a3261a }
        """
    }
}
