import SWSGI

/// The page of the guestbook.
///
/// Everything that came from outside is escaped here, and only here.
struct Page {
    let action: String
    let draft: Draft
    let entries: [Entry]

    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Guestbook</title>
        <style>\(style)</style>
        <main>
        <h1>Guestbook</h1>
        \(form)
        \(entries.isEmpty ? "<p class=\"empty\">Nobody has signed yet. Be the first!</p>" : list)
        </main>
        </html>

        """
    }

    private var form: String {
        """
        <form method="post" action="\(HTML.escape(action))">
        \(draft.complaint.map { "<p class=\"complaint\" role=\"alert\">\(HTML.escape($0))</p>" } ?? "")
        <label>Name
        <input name="name" maxlength="\(Draft.nameLimit)" required value="\(HTML.escape(draft.name))"></label>
        <label>Message
        <textarea name="message" rows="4" maxlength="\(Draft.messageLimit)" required>\(HTML.escape(draft.message))</textarea></label>
        <button>Sign</button>
        </form>
        """
    }

    private var list: String {
        entries.map { entry in
            """
            <article>
            <header><b>\(HTML.escape(entry.name))</b> <time>\(HTML.escape(entry.time)) UTC</time></header>
            <p>\(HTML.escape(entry.message))</p>
            </article>

            """
        }.joined()
    }

    private var style: String {
        """
        body { margin: 0; background: #f4f1ea; color: #26231d; font: 17px/1.5 Georgia, serif }
        main { max-width: 38rem; margin: 0 auto; padding: 2rem 1.2rem }
        h1 { font-weight: 400; font-size: 2.4rem; margin: 0 0 1rem }
        form, article { background: #fff; border: 1px solid #ddd6c8; border-radius: 8px; padding: 1rem; margin: 0 0 1rem }
        label { display: block; margin: 0 0 .8rem; color: #6b6456; font-size: .9rem }
        input, textarea { display: block; box-sizing: border-box; width: 100%; padding: .5rem; font: inherit;
          color: #26231d; border: 1px solid #cfc7b6; border-radius: 5px }
        button { font: inherit; color: #fff; background: #8a3b2e; border: 0; border-radius: 5px; padding: .5rem 1.4rem }
        .complaint { margin: 0 0 .8rem; color: #a3261a }
        .empty, time { color: #857d6d }
        time { float: right; font-size: .85rem }
        article p { margin: .4rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere }
        """
    }
}
