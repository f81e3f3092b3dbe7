package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// smallestPodRange is the longest prefix of a node's range of pod addresses: 29 pods.
const smallestPodRange = 27

// PodRange is the range of pod addresses that belongs to the machine with the address, where cni: bridge shares
// them out. It follows from the address alone, so that a machine keeps its range whatever else comes and goes: the
// machine 192.168.56.11 in 192.168.56.0/24 has the pods 10.244.11.0/24 of 10.244.0.0/16. The error says what to write.
func PodRange(network, pods netip.Prefix, address netip.Addr) (netip.Prefix, error) {
	if !network.Addr().Is4() || !pods.Addr().Is4() || !network.Contains(address) {
		return netip.Prefix{}, fmt.Errorf("no range of pod addresses for %s: it is not in %s", address, network)
	}
	bits := max(24, pods.Bits()+32-network.Bits())
	if bits > smallestPodRange {
		return netip.Prefix{}, fmt.Errorf("%s is too small for a range of pod addresses for each address of %s: write a /%d or larger",
			pods, network, max(8, smallestPodRange-(32-network.Bits())))
	}
	number := func(a netip.Addr) uint32 { b := a.As4(); return binary.BigEndian.Uint32(b[:]) }
	offset := number(address) - number(network.Masked().Addr())
	var first [4]byte
	binary.BigEndian.PutUint32(first[:], number(pods.Masked().Addr())+offset<<(32-bits))
	return netip.PrefixFrom(netip.AddrFrom4(first), bits), nil
}
