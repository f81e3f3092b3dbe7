# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables are set in one file of lib/ and read in another
# secret.sh: passwords that are made on the node, once, and kept there for root alone. Needs step.sh.

# secret NAME: the password of that name.
secret() {
  local file=$keep/secrets/$1
  if [[ ! -s $file ]]; then
    (umask 077 && mkdir -p "$keep/secrets" && openssl rand -hex 12 >"$file.new")
    mv "$file.new" "$file"
  fi
  cat "$file"
}
