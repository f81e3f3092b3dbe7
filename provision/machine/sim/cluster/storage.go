package cluster

import (
	"net/netip"

	"podium/provision/machine/sim/guest"
)

// nfsProvisioner is the driver whose claims the model fulfils.
const nfsProvisioner = "nfs.csi.k8s.io"

// nfsPort is where an NFS server listens.
const nfsPort = 2049

// storageClass is the class of that name, or the default one; nil if there is none.
func (s *store) storageClass(name string) object {
	for _, class := range s.list("storageclasses", "") {
		if name != "" && text(class, "metadata", "name") == name ||
			name == "" && text(class, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") == "true" {
			return class
		}
	}
	return nil
}

// claimView is a claim as the API shows it: bound as soon as the driver of its class can make it a volume.
func (s *store) claimView(o object) object {
	o = clone(o)
	status := object{"phase": "Pending"}
	o["status"] = status
	class := s.storageClass(text(o, "spec", "storageClassName"))
	if class == nil {
		return o
	}
	child(o, "spec")["storageClassName"] = text(class, "metadata", "name")
	if s.provisions(class) {
		name := text(o, "metadata", "namespace") + "/" + text(o, "metadata", "name")
		child(o, "spec")["volumeName"] = "pvc-" + suffix(name+text(o, "metadata", "creationTimestamp"), 8)
		status["phase"] = "Bound"
		status["accessModes"] = at(o, "spec", "accessModes")
		status["capacity"] = at(o, "spec", "resources", "requests")
	}
	return o
}

// provisions reports whether the NFS driver runs and its server lets it have the folder.
func (s *store) provisions(class object) bool {
	if text(class, "provisioner") != nfsProvisioner || !s.works("deployments", kubeSystem, "csi-nfs-controller") {
		return false
	}
	server, share := text(class, "parameters", "server"), text(class, "parameters", "share")
	if _, err := netip.ParseAddr(server); err != nil {
		return false
	}
	for _, k := range s.kubelets {
		m := k.kernel.Machine
		h, err := m.Net.Dial(k.kernel.Context(), m, server, nfsPort)
		if err != nil {
			return false
		}
		return h.Serve(k.kernel.Context(), guest.Request{From: m, Host: server, Path: share}).Code == 200
	}
	return false
}
