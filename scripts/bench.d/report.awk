# Reads "rate ROUND LOAD PEER PER-SECOND", "memory PEER KIB" and "reload PEER MILLISECONDS",
# prints tables and which of the design's targets hold. Exits with 1 when one is missed or was not measured.

function median(list, count,    i, j, t) {
    for (i = 2; i <= count; i++) {
        t = list[i]
        for (j = i - 1; j >= 1 && list[j] > t; j--) list[j + 1] = list[j]
        list[j + 1] = t
    }
    low = list[1]
    high = list[count]
    return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}

# Which of ours a peer is measured beside.
function ours(peer) {
    return peer ~ /-embedded$|-walkless$|^static$/ ? "swsgi-embedded" : "swsgi"
}

# The ratios of each round, both sides measured seconds apart: what changed between rounds cancels out.
function ratio(load, peer,    i, list) {
    for (i = 1; i <= rounds; i++) list[i] = rate[i, load, ours(peer)] / rate[i, load, peer]
    return median(list, rounds)
}

# The multiple of whichever mod_wsgi is faster; nothing when Debian's was not measured.
function of_mod_wsgi(load, mode,    debian, pypi) {
    debian = ratios[load, "mod_wsgi" mode]
    pypi = ratios[load, "mod_wsgi-pypi" mode]
    return debian != "" && pypi != "" && pypi < debian ? pypi : debian
}

function target(text, value, wanted, atmost) {
    if (value == "") {
        printf "not measured  %s\n", text
        missed++
        return
    }
    held = atmost ? value <= wanted : value >= wanted
    missed += !held
    printf "%-12s  %s: %.2f\n", held ? "holds" : "MISSED", text, value
}

$1 == "rate" {
    rate[$2, $3, $4] = $5
    if ($2 > rounds) rounds = $2
    if (!($4 in peers)) { peers[$4]; order[++count] = $4 }
    if (!($3 in seen)) { seen[$3]; steps[++stepcount] = $3 }
}
$1 == "memory" { memory[$2] = $3 }
$1 == "reload" { reload[$2, ++reloads[$2]] = $3 }

END {
    printf "\nRequests per second (upload: bytes), median of %d rounds (min..max); then swsgi of the same mode as a multiple, round by round\n", rounds
    for (s = 1; s <= stepcount; s++) {
        load = steps[s]
        printf "\n%s\n", load
        for (p = 1; p <= count; p++) {
            if (!((1, load, order[p]) in rate)) continue
            for (i = 1; i <= rounds; i++) list[i] = rate[i, load, order[p]]
            middle = median(list, rounds)
            printf "  %-22s %8.0f  (%.0f..%.0f)", order[p], middle, low, high
            if (order[p] !~ /^swsgi/ && (1, load, ours(order[p])) in rate) {
                middle = ratios[load, order[p]] = ratio(load, order[p])
                printf "   %s %.2fx  (%.2f..%.2f)", ours(order[p]), middle, low, high
            }
            printf "\n"
        }
    }
    if (length(memory)) print "\nResident memory of the largest daemon process after load"
    for (p in memory) printf "  %-10s %8.1f MiB\n", p, memory[p] / 1024
    if (length(reloads)) print "\nFrom the touch of the entry file to the first answer of new code, median (min..max)"
    for (p in reloads) {
        delete list
        for (i = 1; i <= reloads[p]; i++) list[i] = reload[p, i]
        waited[p] = median(list, reloads[p])
        printf "  %-10s %8.1f ms  (%.1f..%.1f)\n", p, waited[p], low, high
    }
    print "\nTargets"
    faster = ("mod_wsgi-pypi" in peers || "mod_wsgi-pypi-embedded" in peers) ? "the faster mod_wsgi's" : "mod_wsgi's"
    target("hello-16, daemon: of " faster " rate >= 2", of_mod_wsgi("hello-16", ""), 2)
    target("hello-16, daemon, at best: of " faster " rate >= 2.3", of_mod_wsgi("hello-16", ""), 2.3)
    target("hello-1, daemon: of " faster " rate >= 2.3", of_mod_wsgi("hello-1", ""), 2.3)
    split("file 3 memory 1.5 chunks 1.5 upload 1.3 headers 1.5 json 1.5", list, " ")
    for (i = 1; i in list; i += 2)
        target(list[i] ", daemon: of mod_wsgi's rate >= " list[i + 1], ratios[list[i], "mod_wsgi"], list[i + 1])
    target("hello-16, embedded: of the constant's rate without the walk >= 0.95", ratios["hello-16", "constant-walkless"], 0.95)
    target("hello-16, embedded: of " faster " rate >= 2", of_mod_wsgi("hello-16", "-embedded"), 2)
    target("hello-1, embedded: of " faster " rate >= 1.4", of_mod_wsgi("hello-1", "-embedded"), 1.4)
    target("hello-16, embedded: of a static file's rate >= 1.5", ratios["hello-16", "static"], 1.5)
    target("hello-16, daemon: of mod_proxy_uwsgi's rate >= 1.25", ratios["hello-16", "uwsgi"], 1.25)
    target("MiB resident of a hello daemon process < 12", "swsgi" in memory ? memory["swsgi"] / 1024 : "", 12, 1)
    target("time from touch to new code, of mod_wsgi's <= 0.3", \
        waited["swsgi"] && waited["mod_wsgi"] ? waited["swsgi"] / waited["mod_wsgi"] : "", 0.3, 1)
    exit (missed > 0)
}
