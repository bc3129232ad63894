#!/usr/bin/env bash
# Plain curl: every route, every way to give the write key, every encoding. Each call is a line
#     call EXPECTED PATH [curl options...]
# where EXPECTED is what must be found afterwards. {run} is this run's name, {key} its write key.
set -eu
bad=0

filled() { local text=${1//\{run\}/$ONYM_RUN}; printf '%s' "${text//\{key\}/$ONYM_KEY}"; }

# Sends, and compares the answer with $answer (status, space, body).
answer='200 {"success":true}'
send() {
    local path=$1 got arguments=() argument
    shift
    for argument in "$@"; do arguments+=("$(filled "$argument")"); done
    got=$(curl -sS --max-time 20 -w ' %{http_code}' "$ONYM_URL$(filled "$path")" "${arguments[@]}")
    got="${got##* } $(printf '%s' "${got% *}" | tr -d ' \n')"
    [ "$got" = "$answer" ] || { echo "$path: wanted $answer, got $got" >&2; bad=1; }
}
call() {
    local expected=$1
    shift
    send "$@"
    printf '%s\n' "$(filled "$expected")"
}
base64url() { filled "$1" | base64 -w0 | tr '+/' '-_' | tr -d '='; }

# ---- Each call by its own route, long and short; type is implied by the path ----
basic=(-u '{key}:')
call '{"type":"identify","userId":"{run}-u1","traits":{"email":"a@b.c"}}' /v1/identify "${basic[@]}" -d '{"userId":"{run}-u1","traits":{"email":"a@b.c"}}'
call '{"type":"track","userId":"{run}-u2","event":"Paid","properties":{"revenue":9.5}}' /v1/track "${basic[@]}" -d '{"userId":"{run}-u2","event":"Paid","properties":{"revenue":9.5}}'
call '{"type":"page","anonymousId":"{run}-a3","name":"Home","category":"Shop"}' /v1/page "${basic[@]}" -d '{"anonymousId":"{run}-a3","name":"Home","category":"Shop"}'
call '{"type":"screen","anonymousId":"{run}-a4","name":"Home"}' /v1/screen "${basic[@]}" -d '{"anonymousId":"{run}-a4","name":"Home"}'
call '{"type":"group","userId":"{run}-u5","groupId":"{run}-g5","traits":{"plan":"team"}}' /v1/group "${basic[@]}" -d '{"userId":"{run}-u5","groupId":"{run}-g5","traits":{"plan":"team"}}'
call '{"type":"alias","userId":"{run}-u6","previousId":"{run}-a6"}' /v1/alias "${basic[@]}" -d '{"userId":"{run}-u6","previousId":"{run}-a6"}'
call '{"type":"identify","userId":"{run}-u7"}' /v1/i "${basic[@]}" -d '{"userId":"{run}-u7"}'
call '{"type":"track","userId":"{run}-u8","event":"T"}' /v1/t "${basic[@]}" -d '{"userId":"{run}-u8","event":"T"}'
call '{"type":"page","userId":"{run}-u9"}' /v1/p "${basic[@]}" -d '{"userId":"{run}-u9"}'
call '{"type":"screen","userId":"{run}-u10","name":"S"}' /v1/s "${basic[@]}" -d '{"userId":"{run}-u10","name":"S"}'
call '{"type":"group","userId":"{run}-u11","groupId":"g"}' /v1/g "${basic[@]}" -d '{"userId":"{run}-u11","groupId":"g"}'
call '{"type":"alias","userId":"{run}-u12","previousId":"{run}-p12"}' /v1/a "${basic[@]}" -d '{"userId":"{run}-u12","previousId":"{run}-p12"}'

# ---- Batches, and the forms without /v1 ----
batch() { printf '{"batch":[{"type":"track","userId":"{run}-%s","event":"Batched"}],"sentAt":"2026-11-23T10:00:00.000Z"}' "$1"; }
for path in /v1/batch /v1/b /v1/import /v1/import/ /batch /b /import; do
    call "{\"type\":\"track\",\"userId\":\"{run}-batch${path//\//-}\",\"event\":\"Batched\"}" "$path" "${basic[@]}" -d "$(batch "batch${path//\//-}")"
done
for path in identify track page screen group alias i t p s g a; do
    send "/$path" "${basic[@]}" -d "{\"userId\":\"{run}-bare-$path\",\"event\":\"E\",\"name\":\"N\",\"groupId\":\"g\",\"previousId\":\"{run}-p\"}"
    printf '%s\n' "$(filled "{\"userId\":\"{run}-bare-$path\"}")"
done

# ---- The write key, by every way ----
call '{"userId":"{run}-k1"}' /v1/track -d '{"userId":"{run}-k1","event":"Key in the body","writeKey":"{key}"}'
call '{"userId":"{run}-k2"}' /v1/track -H 'X-Write-Key: {key}' -d '{"userId":"{run}-k2","event":"Key by header"}'
call '{"userId":"{run}-k3"}' /v1/track -H 'Authorization: Bearer a.b.c' -d '{"userId":"{run}-k3","event":"Bearer token and key in the body","writeKey":"{key}"}'
call '{"userId":"{run}-k4"}' /v1/batch -d '{"batch":[{"type":"track","userId":"{run}-k4","event":"Key in the envelope"}],"writeKey":"{key}"}'
call '{"userId":"{run}-k5"}' /v1/batch -d '{"batch":[{"type":"track","userId":"{run}-k5","event":"Key in the item","writeKey":"{key}"}]}'
call '{"userId":"{run}-k6"}' /v1/track -H "Authorization: Basic $(printf '%s' "$ONYM_KEY" | base64 -w0)" -d '{"userId":"{run}-k6","event":"Basic without the colon"}'
call '{"userId":"{run}-k7"}' '/beacon/v1/batch?writeKey={key}' -H 'Content-Type: text/plain' -d "$(batch k7)"

# ---- Encodings: whatever the Content-Type says, or if it says nothing ----
for type in text/plain application/json 'application/json; charset=utf-8' application/x-www-form-urlencoded ''; do
    name=$(printf '%s' "$type" | tr -c 'a-z\n' -)
    call "{\"userId\":\"{run}-type-$name\"}" /v1/track "${basic[@]}" -H "Content-Type:${type:+ $type}" -d "{\"userId\":\"{run}-type-$name\",\"event\":\"E\"}"
done
zipped=$(mktemp)
trap 'rm -f "$zipped"' EXIT
filled '{"batch":[{"type":"track","userId":"{run}-gzip","event":"Zipped","properties":{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}]}' | gzip >"$zipped"
call '{"userId":"{run}-gzip","properties":{"text":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}' /v1/batch "${basic[@]}" -H 'Content-Encoding: gzip' --data-binary "@$zipped"
filled '{"type":"track","userId":"{run}-gzip-chunked","event":"As Kotlin sends","writeKey":"{key}"}' | gzip >"$zipped"
call '{"userId":"{run}-gzip-chunked"}' /v1/t -H 'Content-Encoding: gzip' -H 'Transfer-Encoding: chunked' -H 'Content-Type: text/plain' --data-binary "@$zipped"
call '{"userId":"{run}-chunked"}' /v1/track "${basic[@]}" -H 'Transfer-Encoding: chunked' -d '{"userId":"{run}-chunked","event":"E"}'
call '{"userId":"{run}-continue"}' /v1/track "${basic[@]}" -H 'Expect: 100-continue' -d '{"userId":"{run}-continue","event":"E"}'
call '{"userId":"{run}-http10"}' /v1/track --http1.0 "${basic[@]}" -d '{"userId":"{run}-http10","event":"E"}'

# ---- Pixels and JSONP ----
gif=$(printf '\x47\x49\x46')
pixel() {
    local expected=$1 path=$2 head
    head=$(curl -sS --max-time 20 -w '%{http_code} %{content_type}' -o "$zipped" -G "$ONYM_URL$path" "${@:3}")
    [ "$head" = '200 image/gif' ] && [ "$(head -c3 "$zipped")" = "$gif" ] || { echo "$path: no GIF: $head" >&2; bad=1; }
    printf '%s\n' "$(filled "$expected")"
}
pixel '{"type":"track","userId":"{run}-pixel1","event":"Email Opened","properties":{"subject":"Hi"}}' /v1/pixel/track -d "data=$(base64url '{"writeKey":"{key}","userId":"{run}-pixel1","event":"Email Opened","properties":{"subject":"Hi"}}')"
pixel '{"type":"page","anonymousId":"{run}-pixel2","name":"P","properties":{"title":"a b"}}' /v1/pixel/page -d "writeKey=$ONYM_KEY&anonymousId=$ONYM_RUN-pixel2&name=P" --data-urlencode 'properties.title=a b'
pixel '{"type":"identify","userId":"{run}-pixel3","traits":{"a":{"b":"c"}}}' /v1/pixel/identify -d "writeKey=$ONYM_KEY&userId=$ONYM_RUN-pixel3&traits.a.b=c"
data=$(base64url '{"writeKey":"{key}","userId":"{run}-jsonp","event":"Old Browser"}')
got=$(curl -sS --max-time 20 "$ONYM_URL/v1/t?data=$data&callback=cb" | tr -d ' \n;')
[[ "$got" = *'cb({"success":true})' ]] || { echo "JSONP: got $got" >&2; bad=1; }
filled '{"type":"track","userId":"{run}-jsonp","event":"Old Browser"}
'
exit $bad
