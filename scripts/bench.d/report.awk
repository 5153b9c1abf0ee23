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

# The ratios of each round, both sides measured seconds apart: what changed between rounds cancels out.
function ratio(load, peer,    i, list) {
    for (i = 1; i <= rounds; i++) list[i] = rate[i, load, "swsgi"] / rate[i, load, peer]
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
    printf "\nRequests per second (upload: bytes), median of %d rounds (min..max); then swsgi as a multiple of the peer, round by round\n", rounds
    for (s = 1; s <= stepcount; s++) {
        load = steps[s]
        printf "\n%s\n", load
        for (p = 1; p <= count; p++) {
            if (!((1, load, order[p]) in rate)) continue
            for (i = 1; i <= rounds; i++) list[i] = rate[i, load, order[p]]
            middle = median(list, rounds)
            printf "  %-10s %8.0f  (%.0f..%.0f)", order[p], middle, low, high
            if (order[p] != "swsgi" && "swsgi" in peers) {
                middle = ratios[load, order[p]] = ratio(load, order[p])
                printf "   swsgi %.2fx  (%.2f..%.2f)", middle, low, high
            }
            printf "\n"
        }
    }
    print "\nResident memory of the largest daemon process after load"
    for (p in memory) printf "  %-10s %8.1f MiB\n", p, memory[p] / 1024
    print "\nFrom the touch of the entry file to the first answer of new code, median (min..max)"
    for (p in reloads) {
        delete list
        for (i = 1; i <= reloads[p]; i++) list[i] = reload[p, i]
        waited[p] = median(list, reloads[p])
        printf "  %-10s %8.1f ms  (%.1f..%.1f)\n", p, waited[p], low, high
    }
    print "\nTargets"
    split("hello-16 1.9 hello-1 2.3 file 3 memory 1.5 chunks 1.5 upload 1.3 headers 1.5 json 1.5", list, " ")
    for (i = 1; i in list; i += 2)
        target(list[i] ": of mod_wsgi's rate >= " list[i + 1], ratios[list[i], "mod_wsgi"], list[i + 1])
    target("hello-16: of mod_proxy_uwsgi's rate >= 1.25", ratios["hello-16", "uwsgi"], 1.25)
    target("MiB resident of a hello daemon process < 12", "swsgi" in memory ? memory["swsgi"] / 1024 : "", 12, 1)
    target("time from touch to new code, of mod_wsgi's <= 0.3", \
        waited["swsgi"] && waited["mod_wsgi"] ? waited["swsgi"] / waited["mod_wsgi"] : "", 0.3, 1)
    exit (missed > 0)
}
