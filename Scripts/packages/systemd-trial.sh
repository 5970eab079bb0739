#!/bin/bash
# Runs as a service of a new system, in which the package has just been installed, and says in /result how far it has come.
# The last line there is `done` if everything was as it must be.
exec >/result 2>&1
set -euo pipefail
# A failure shows the command and what the gateway has said.
trap 'echo "failed: $BASH_COMMAND"; journalctl --no-pager --lines 5 --unit jobs-proxy; exec >/dev/null 2>&1; /bin/systemctl poweroff --force --force' EXIT

configuration=/etc/jobs-proxy/jobs-proxy.yaml
fetch() { curl --silent --show-error --max-time 10 "$@"; }
answer() { [ "$(fetch --output /dev/null --write-out '%{http_code}' "$@")" = 200 ]; }
process() { systemctl show --property MainPID --value jobs-proxy; }
until_active() { timeout 20 sh -c 'until systemctl --quiet is-active jobs-proxy.service; do sleep 0.1; done'; }

# Started and enabled by the installation, for its own user.
until_active
systemctl --quiet is-enabled jobs-proxy.socket jobs-proxy.service
[ "$(stat --format %U "/proc/$(process)")" = jobs-proxy ]
call=(-H 'X-Amz-Target: VoiceID.ListDomains' -H 'Content-Type: application/x-amz-json-1.0' -d '{"MaxResults":10}')
fetch "${call[@]}" http://127.0.0.1:8080/ | grep -q DomainId
answer http://127.0.0.1:9090/readyz
echo "serves as $(stat --format %U "/proc/$(process)")"

# An upgrade refuses nothing: callers come one after the other, each on a connection of its own.
(while [ ! -e /tmp/upgraded ]; do answer http://127.0.0.1:8080/healthz || echo lost >>/tmp/lost; echo asked >>/tmp/asked; done) &
asking=$!
before=$(process)
dpkg --install /jobs-proxy-newer.deb >/dev/null
touch /tmp/upgraded
wait $asking
until_active
[ "$before" != "$(process)" ]
[ ! -e /tmp/lost ]
echo "upgraded, $(wc -l </tmp/asked) requests meanwhile, none lost"

# A crash ends it for a second.
kill -KILL "$(process)"
answer http://127.0.0.1:8080/healthz
[ "$(systemctl show --property NRestarts --value jobs-proxy)" = 1 ]
echo "started again after a crash"

# Secrets in the environment's file, a snapshot in the state's directory, and a faulty file that never starts.
(umask 077 && echo "SECRET=0123456789abcdef0123456789abcdef01234567" >/etc/jobs-proxy/environment)
cp $configuration /tmp/good
cat >>$configuration <<'END'
callers:
  - { name: one, keys: [{ accessKeyId: GWEXAMPLE1, secretAccessKey: { env: SECRET } }] }
cache: { snapshot: /var/lib/jobs-proxy/pages }
END
systemctl restart jobs-proxy
[ "$(fetch --output /dev/null --write-out '%{http_code}' "${call[@]}" http://127.0.0.1:8080/)" = 403 ]
systemctl stop jobs-proxy.socket jobs-proxy.service
[ "$(systemctl show --property ExecMainStatus --value jobs-proxy)" = 0 ]
[ "$(stat --format '%U %a' /var/lib/jobs-proxy/pages)" = "jobs-proxy 600" ]
cp /tmp/good $configuration
echo "keeps secrets and pages"

# Another address, as docs/deployment.md says.
mkdir /etc/systemd/system/jobs-proxy.socket.d
printf '[Socket]\nListenStream=\nListenStream=127.0.0.1:8081\nListenStream=127.0.0.1:9090\n' >/etc/systemd/system/jobs-proxy.socket.d/override.conf
sed -i 's/127.0.0.1:8080/127.0.0.1:8081/' $configuration
systemctl daemon-reload
systemctl restart jobs-proxy.socket jobs-proxy.service
answer http://127.0.0.1:8081/healthz
rm -r /etc/systemd/system/jobs-proxy.socket.d
systemctl daemon-reload

# Removed and purged: no unit, no process, no file.
DEBIAN_FRONTEND=noninteractive apt-get purge -qy jobs-proxy >/dev/null
[ -z "$(systemctl list-units --all --plain --no-legend 'jobs-proxy*')" ]
[ -z "$(pgrep --exact jobs-proxy)" ]
rm /jobs-proxy-newer.deb
[ -z "$(find / -xdev -name '*jobs-proxy*' -print -quit)" ]
echo "purged"
trap - EXIT
echo done
exec >/dev/null 2>&1
/bin/systemctl poweroff --force --force
