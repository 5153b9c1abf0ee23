# Reads "rate ROUND CONNECTIONS PEER REQUESTS-PER-SECOND", "memory PEER KIB" and "reload PEER MILLISECONDS",
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

# The ratios of each round, both sides measured seconds apart: what changed between rounds cancels out.
function ratio(connections, peer,    i, list) {
    for (i = 1; i <= rounds; i++) list[i] = rate[i, connections, "swsgi"] / rate[i, connections, peer]
    return median(list, rounds)
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
    printf "\nRequests per second, median of %d rounds (min..max); then swsgi as a multiple of the peer, round by round\n", rounds
    for (s = 1; s <= stepcount; s++) {
        c = steps[s]
        printf "\n%d connection%s\n", c, c == 1 ? "" : "s"
        for (p = 1; p <= count; p++) {
            for (i = 1; i <= rounds; i++) list[i] = rate[i, c, order[p]]
            middle = median(list, rounds)
            printf "  %-10s %8.0f  (%.0f..%.0f)", order[p], middle, low, high
            if (order[p] != "swsgi" && "swsgi" in peers) {
                middle = ratios[c, order[p]] = ratio(c, order[p])
                printf "   swsgi %.2fx  (%.2f..%.2f)", middle, low, high
            }
            printf "\n"
        }
    }
    print "\nResident memory of the largest daemon process after load"
    for (p in memory) printf "  %-10s %8.1f MiB\n", p, memory[p] / 1024
    print "\nFrom the touch of the entry file to the first answer of new code, median (min..max)"
    for (p in reloads) {
        for (i = 1; i <= reloads[p]; i++) list[i] = reload[p, i]
        waited[p] = median(list, reloads[p])
        printf "  %-10s %8.1f ms  (%.1f..%.1f)\n", p, waited[p], low, high
    }
    print "\nTargets"
    target("requests/s at 16 connections, of mod_wsgi's >= 1.9", ratios[16, "mod_wsgi"], 1.9)
    target("requests/s at 16 connections, of mod_proxy_uwsgi's >= 1.25", ratios[16, "uwsgi"], 1.25)
    target("requests/s at 1 connection, of mod_wsgi's >= 2.3", ratios[1, "mod_wsgi"], 2.3)
    target("MiB resident of a hello daemon process < 12", "swsgi" in memory ? memory["swsgi"] / 1024 : "", 12, 1)
    target("time from touch to new code, of mod_wsgi's <= 0.3", \
        waited["swsgi"] && waited["mod_wsgi"] ? waited["swsgi"] / waited["mod_wsgi"] : "", 0.3, 1)
    exit (missed > 0)
}
