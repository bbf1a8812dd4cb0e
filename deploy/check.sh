#!/bin/sh
# Lists everything that is wrong with the settings of an installation with Docker, before anything starts: what .env lacks,
# what compose would read differently from how it is written, and which values no process would accept.
#
#     deploy/check.sh && docker compose up -d
#
# Compose by itself stops at the first fault. The image checks what values mean; `deploy/check.sh written` checks the file
# alone, before there is an image of this version. Run it in the folder of docker-compose.yml.
set -eu

# Print .env as compose reads it: a line NAME<tab>value for each variable, and a line !<tab>what is wrong for each fault.
as_compose_reads() {
    tr -d '\r' < .env | awk '
        function wrong(why) { print "!\t" name " " why }
        # Return the position of the quote that ends a text after its opening quote; 0 if none does.
        function end_of(text,    at) {
            for (at = 1; at <= length(text); at++) {
                if (substr(text, at, 1) == "\\") at++
                else if (substr(text, at, 1) == quote) return at
            }
            return 0
        }
        function expanded(text) {
            gsub(/\$\$|\$\{/, "", text)
            if (text ~ /\$/) wrong("has a $, for which compose puts something else: write the value in single quotes.")
        }
        !quote {
            line = $0
            sub(/^[ \t]*(export[ \t]+)?/, "", line)
            if (line ~ /^(#|$)/ || line ~ /^[A-Za-z_][A-Za-z0-9_]*$/) next
            if (line !~ /^[A-Za-z_][A-Za-z0-9_]*[ \t]*[=:]/) {
                name = "line " NR
                wrong("is none that compose reads: NAME=value.")
                next
            }
            name = value = line
            sub(/[ \t]*[=:].*/, "", name)
            sub(/^[^=:]*[=:][ \t]*/, "", value)
            quote = substr(value, 1, 1)
            if (quote != "\"" && quote != "\047") {
                quote = ""
                sub(/(^|[ \t])#.*/, "", value)
                sub(/[ \t]+$/, "", value)
                if (value ~ /#/) wrong("has a #, at which compose may end it: write the value in single quotes.")
                expanded(value)
                print name "\t" value
                next
            }
            value = ""
            $0 = substr(line, index(line, quote) + 1)
        }
        {
            value = value (value == "" ? "" : "\\n") $0
            if (!(at = end_of(value))) next
            rest = substr(value, at + 1)
            value = substr(value, 1, at - 1)
            if (rest !~ /^[ \t]*(#.*)?$/) wrong("ends for compose at its second " quote ": write it in single quotes.")
            if (quote == "\"") expanded(value)
            print name "\t" value
            quote = ""
        }
        END { if (quote) wrong("begins with a " quote " that nothing ends.") }'
}

tab=$(printf '\t')
written=$(if [ -f .env ]; then as_compose_reads; fi)
faults=$(printf '%s\n' "$written" | sed -n "s/^!$tab//p")
fault() { faults="$faults${faults:+
}$*"; }

# Print the value of $1 as compose has it: from the environment, else from .env.
value() {
    if eval "[ -n \"\${$1+set}\" ]"; then
        eval "printf '%s\n' \"\$$1\""
    else
        printf '%s\n' "$written" | sed -n "s/^$1$tab//p" | tail -n 1
    fi
}

required=$(sed -n 's/^\([A-Z_]*\)=$/\1/p' .env.example)
case $(value COMPOSE_FILE) in *webhooks.yaml*) required="$required NKK_WEBHOOKS_KEYS POSTGRES_WEBHOOKS_PASSWORD" ;; esac
for name in $required; do
    value=$(value "$name")
    case $name$(printf %s "$value" | tr -d '[:space:]') in
        NKK_SMTP_URL)
            case $(value COMPOSE_FILE) in
                *mail-files.yaml*) ;;
                *) fault "NKK_SMTP_URL is empty, and letters would be lost: name the mail server, or write" \
                    "COMPOSE_FILE=docker-compose.yml:deploy/mail-files.yaml to keep them as files." ;;
            esac ;;
        "$name") fault "$name is missing." ;;
    esac
    case $name$value in
        RABBITMQ_*[!A-Za-z0-9_-]* | POSTGRES_*[!A-Za-z0-9_-]*)
            fault "$name holds more than letters, digits, hyphens and underscores, and becomes part of a URL." ;;
    esac
done

for name in $(printf '%s\n' "$written" | sed -nE "s/^((NKK|RABBITMQ|POSTGRES)_[A-Za-z0-9_]*)$tab.*/\1/p" |
    sort -u); do
    grep -q "^#\{0,1\}$name=" .env.example || fault "$name is no setting of this version: .env.example has all there are."
done

for name in NKK_PORT NKK_HTTP_PORT NKK_HTTPS_PORT NKK_TOOLS_PORT NKK_RABBITMQ_UI_PORT; do
    port=$(value $name)
    case $name in NKK_HTTP_PORT | NKK_HTTPS_PORT) port=${port##*:} ;; esac # may have an address before it
    case $port in
        '') continue ;;
        *:*) [ $name != NKK_PORT ] || port_only="; an address before it stands in NKK_ADDRESS" ;;
        *[!0-9]* | ??????*) ;;
        *) [ "$port" -lt 1 ] || [ "$port" -gt 65535 ] || continue ;;
    esac
    fault "$name is no port: a number from 1 to 65535${port_only-}."
    port_only=
done

for stage in INTAKE TRIAGE OPD_RESPONSE NOTIFICATION; do
    case $(value "NKK_${stage}_INSTANCES") in
        '' | [1-9] | [1-9][0-9]) ;;
        *) fault "NKK_${stage}_INSTANCES is no number of instances: 1 to 99." ;;
    esac
done

# Have `nkk settings` in the image check $2, with the arguments that follow, and add a fault unless it prints $1. Its output
# is compared, because some engines report success for a container that is already gone.
ask_image() {
    meaning=$1
    given=$2
    shift 2
    answer=$(printf '%s\n' "$given" | docker run --rm -i --network none "$image" nkk settings "$@" 2>&1) || :
    case $answer in
        *"$meaning"*) ;;
        '' | *"No such command"* | *"No such option"*)
            fault "the image $image is of another version and does not know what values mean: docker build -t $image ." ;;
        *) fault "$(printf '%s\n' "$answer" | sed 's/^Error: //; /settings cannot be used:$/d; s/^ *//')" ;;
    esac
}

# The image checks what compose would give each process, by the settings' own code.
meaning="what the values mean was not looked at"
image=$(value NKK_IMAGE)
image=${image:-nkk:local}
if [ "${1-}" = written ]; then
    :
elif ! docker image inspect "$image" > /dev/null 2>&1; then
    meaning="$meaning: there is no image $image yet (docker build -t $image .)"
elif refused=$(docker compose config --quiet 2>&1); then
    composed=$(docker compose config --format json 2> /dev/null)
    ask_image "every process takes its settings" "$composed"
else
    # Compose prints nothing if a variable is missing: check each of the other values that has no fault yet by itself.
    others=$(for name in $(sed -n 's/^#\{0,1\}\([A-Z_]*\)=.*/\1/p' .env.example); do
        printf '%s\n' "$faults" | grep -q "^$name " || printf '%s\t%s\n' "$name" "$(value "$name")"
    done)
    [ -n "$faults" ] || fault "$refused"
    ask_image "every written setting can be used" "$others" --written
fi

if [ -n "$faults" ]; then
    echo "in .env, or in the environment:" >&2
    printf '%s\n' "$faults" | sed 's/^/  /' >&2
    exit 1
fi
echo "checked: nothing is missing, compose reads .env as it stands there, and $meaning"
