# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source this
# versions.sh: which Kubernetes the end-to-end runs build. A test of package scripts compares them with the catalogue.

# A patch of the catalogue's default minor: all parts run it, and labs need not name it.
kubernetes_default=1.36.3
# Patches of the minors beside it, for upgrades.
kubernetes_before=1.35.4
kubernetes_after=1.37.2
# The newest minor whose CRI-O the module proxy has.
kubernetes_cri_o=1.34.4
