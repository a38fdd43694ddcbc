#!/bin/sh
# Installs Inference Proxy on this machine, from the files of a release:
#
#     sh install.sh [--from URL|DIR] [--version VERSION] [--prefix DIR]
#
# Everything stands in functions that the last line calls, so a download that was cut short runs nothing.

# Where the files of the newest release are. Empty: it has to be said with --from.
RELEASE=""

OTHER_PREFIX="run this as root, or choose a folder of yours: --prefix ~/.local"

say() {
  printf '%s\n' "$*"
}

# fail WHAT WHAT_TO_DO
fail() {
  printf 'error: %s\n  fix       %s\n' "$1" "$2" >&2
  exit 1
}

usage() {
  cat <<'END'
Installs Inference Proxy.

Usage: sh install.sh [FLAGS]

  --from URL|DIR
      Where the files of a release are, SHA256SUMS among them
  --version VERSION
      Which version, if there are several
  --prefix DIR (default /usr/local)
      Where to install: bin/ and share/ in it
END
}

# Sets from, version and prefix.
read_command_line() {
  from=$RELEASE version="" prefix=/usr/local
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --from=* | --version=* | --prefix=*) value=${1#*=} ;;
      --from | --version | --prefix)
        [ $# -gt 1 ] || fail "Cannot read command line: $1 lacks its value" "see --help"
        value=$2
        ;;
      *) fail "Cannot read command line: unknown word \"$1\"" "see --help" ;;
    esac
    [ -n "$value" ] || fail "Cannot read command line: the value of ${1%%=*} is empty" "see --help"
    case $1 in
      --from*) from=${value%/} ;;
      --version*) version=${value#v} ;;
      --prefix*) prefix=$value ;;
    esac
    case $1 in --*=*) ;; *) shift ;; esac
    shift
  done
  [ -n "$from" ] || fail "Cannot find a release: nothing says where one is" "write --from URL, or --from DIR with the files of a release"
  case $prefix in
    /*) ;;
    *) prefix=$(pwd)/$prefix ;;
  esac
}

need() {
  for tool in "$@"; do
    command -v "$tool" >/dev/null 2>&1 ||
      fail "Cannot install: this machine has no $tool" "install $tool, or copy the program out of its archive by hand"
  done
}

# Sets platform: linux-x64, linux-arm64, linux-x64-musl or linux-arm64-musl.
find_platform() {
  system=$(uname -s) machine=$(uname -m)
  [ "$system" = Linux ] ||
    fail "Cannot install on $system: the program is for Linux" "install it on a Linux machine"
  case $machine in
    x86_64 | amd64) processor=x64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64 | arm64) processor=arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) fail "Cannot install on $machine: the program is for x86_64 and aarch64" "install it on such a machine" ;;
  esac
  platform=linux-$processor
  # A machine may have both libraries; then ldd tells whose programs it runs.
  case $(ldd --version 2>&1) in
    *musl*) platform=$platform-musl ;;
    *GNU* | *GLIBC*) ;;
    *) [ -e "$loader" ] || ! ls /lib/ld-musl-* >/dev/null 2>&1 || platform=$platform-musl ;;
  esac
}

# fetch NAME: brings a file of the release into the stage.
fetch() {
  case $from in
    https://*) download "$1" =https ;;
    http://127.0.0.1[:/]* | http://localhost[:/]*) download "$1" =http ;;
    http://*) fail "Cannot download from $from: anybody on the way could change it" "write https://, or download the files and name their folder" ;;
    *://*) fail "Cannot download from $from: it is no https address" "write --from https://..., or --from DIR" ;;
    *)
      [ -f "$from/$1" ] || fail "Cannot find $1: $from does not hold it" "name the folder with the files of a release: --from DIR"
      cp "$from/$1" "$stage/$1" || fail "Cannot copy $1: see above" "make room in $prefix"
      ;;
  esac
}

# download NAME PROTOCOL
download() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --location --proto "$2" --output "$stage/$1" "$from/$1"
  elif wget --version 2>/dev/null | grep -q 'GNU Wget'; then
    wget --quiet --output-document "$stage/$1" "$from/$1"
  else
    # Small wgets do not check whom they talk to.
    fail "Cannot download: this machine has neither curl nor GNU wget" "install curl, or download the files elsewhere and write --from DIR"
  fi || fail "Cannot download $from/$1: see above" "check the address and the network"
}

# Sets archive to the name of the one that is for this platform and, if one was asked for, this version.
choose_archive() {
  pattern="inference-proxy-[0-9][0-9A-Za-z.+-]*-$platform\\.tar\\.gz"
  all=$(sed -n "s/^[0-9a-f]\\{64\\}  \\($pattern\\)\$/\\1/p" "$stage/SHA256SUMS")
  [ -n "$all" ] || fail "Cannot install on $platform: the release has nothing for it" "look into $from/SHA256SUMS"
  archive=""
  for one in $all; do
    of=${one#inference-proxy-} of=${of%"-$platform.tar.gz"}
    [ -z "$version" ] || [ "$version" = "$of" ] || continue
    [ -z "$archive" ] || fail "Cannot choose: there is more than one version" "write --version VERSION"
    archive=$one found=$of
  done
  [ -n "$archive" ] || fail "Cannot install version $version: it is not there" "look into $from/SHA256SUMS"
  version=$found
}

verify() {
  sum=$(sha256sum "$stage/$archive")
  grep -qxF "${sum%% *}  $archive" "$stage/SHA256SUMS" ||
    fail "Cannot trust $archive: it does not add up to SHA256SUMS" "download it again; if that does not help, tell whoever published it"
}

# Refuses a program that does not run here, before anything is put in its place.
try_out() {
  said=$("$unpacked/inference-proxy" version 2>&1) && case $said in *"$version"*) return 0 ;; esac
  say "$said" | head -n 3 >&2
  case $platform in
    *-musl) fail "Cannot run the program here: see above" "install the C++ library, as with: apk add libstdc++" ;;
    *-x64) fail "Cannot run the program here: see above" "use a machine with SSE4.2 and glibc 2.17 or newer, and a file system that allows programs" ;;
    *) fail "Cannot run the program here: see above" "use a machine with glibc 2.17 or newer, and a file system that allows programs" ;;
  esac
}

# put FILE PLACE MODE: puts a file into its place in one step, so that nobody meets half of it.
put() {
  { mkdir -p "$prefix/${2%/*}" && chmod "$3" "$unpacked/$1" && mv -f "$unpacked/$1" "$prefix/$2"; } ||
    fail "Cannot write $prefix/$2: see above" "$OTHER_PREFIX"
}

install_files() {
  put inference-proxy.1 share/man/man1/inference-proxy.1 644
  put completions/inference-proxy.bash share/bash-completion/completions/inference-proxy 644
  put completions/_inference-proxy share/zsh/site-functions/_inference-proxy 644
  put completions/inference-proxy.fish share/fish/vendor_completions.d/inference-proxy.fish 644
  put LICENSE share/doc/inference-proxy/LICENSE 644
  put THIRD_PARTY_NOTICES share/doc/inference-proxy/THIRD_PARTY_NOTICES 644
  put README.md share/doc/inference-proxy/README.md 644
  put inference-proxy bin/inference-proxy 755
}

next_steps() {
  program=$prefix/bin/inference-proxy
  [ "$(command -v inference-proxy 2>/dev/null)" != "$program" ] || program=inference-proxy
  say "installed  $prefix/bin/inference-proxy  ($version, $platform)"
  say ""
  say "Next:"
  if [ -e /etc/systemd/system/inference-proxy.service ]; then
    say "  $program systemd install              # as root: the service's unit, if it has changed"
    say "  systemctl restart inference-proxy     # the service still runs the program that it started with"
  else
    say "  $program demo              # a call through the whole path, without an account anywhere"
    say "  $program systemd install   # as root: a service of this machine"
  fi
}

main() {
  set -eu
  umask 022
  read_command_line "$@"
  need uname sed grep tar gzip sha256sum mkdir mv chmod cp rm head cat
  find_platform
  # The stage lies where the program will, so that moving it there is one step.
  stage=$prefix/.inference-proxy-install.$$
  { mkdir -p "$prefix" && mkdir -m 700 "$stage"; } 2>/dev/null ||
    fail "Cannot write into $prefix: this user may not" "$OTHER_PREFIX"
  trap 'rm -rf "$stage"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  fetch SHA256SUMS
  choose_archive
  say "fetching   $archive"
  fetch "$archive"
  verify
  tar -xzof "$stage/$archive" -C "$stage" ||
    fail "Cannot unpack $archive: see above" "make room in $prefix"
  unpacked=$stage/${archive%.tar.gz}
  try_out
  install_files
  next_steps
}

{ main "$@"; }
