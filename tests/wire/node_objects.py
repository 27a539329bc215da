"""Node objects as a kubelet, a cloud controller and flannel leave them in the API."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]
_FLANNEL = "flannel.alpha.coreos.com/"
_NAMESPACE = uuid.UUID("6f3a2c1e-0000-4000-8000-000000000000")
_CONDITIONS = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


def node_object(
    name: str,
    *,
    ip: str | None = "10.0.0.1",
    pod_cidr: str | None = "10.42.0.0/24",
    provider_id: str | None = None,
    pod_cidrs: Sequence[str] | None = None,
    internal_ips: Sequence[str] | None = None,
    os: str = "linux",
    ready: bool | None = True,
    unschedulable: bool = False,
    backend: str | None = "host-gw",
    public_ip: str | None = None,
    uid: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    kubelet_version: str = "v1.31.4",
    bulky: bool = False,
) -> Object:
    """Return a Node object, without a resource version.

    ``ip`` is the InternalIP, and flannel's public-ip unless ``public_ip`` says otherwise; ``internal_ips`` and
    ``pod_cidrs`` stand for several. ``ready`` None is a Ready condition that is Unknown. ``bulky`` adds images, managed
    fields and annotations until the object has the 12 to 15 kB of a real one.
    """
    addresses = internal_ips if internal_ips is not None else ([ip] if ip else [])
    cidrs = pod_cidrs if pod_cidrs is not None else ([pod_cidr] if pod_cidr else [])
    flannel_ip = public_ip or next(iter(addresses), None)
    spec: Object = {}
    if cidrs:
        spec |= {"podCIDR": cidrs[0], "podCIDRs": [*cidrs]}
    if provider_id is not None:
        spec["providerID"] = provider_id
    if taints:
        spec["taints"] = [dict(taint) for taint in taints]
    if unschedulable:
        spec["unschedulable"] = True
    metadata: Object = {
        "name": name,
        "uid": uid or str(uuid.uuid5(_NAMESPACE, name)),
        "creationTimestamp": "2026-01-01T10:00:00Z",
        "labels": _labels(name, os) | dict(labels or {}),
        "annotations": _annotations(flannel_ip, backend) | dict(annotations or {}),
    }
    status: Object = {
        "addresses": [
            *({"type": "InternalIP", "address": address} for address in addresses),
            {"type": "Hostname", "address": name},
        ],
        "allocatable": {"cpu": "7910m", "ephemeral-storage": "47093746742", "memory": "31482Mi", "pods": "110"},
        "capacity": {"cpu": "8", "ephemeral-storage": "104845292Ki", "memory": "32386544Ki", "pods": "110"},
        "conditions": _conditions(ready),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": _node_info(name, os, kubelet_version),
    }
    if bulky:
        metadata["annotations"] |= _more_annotations(name)
        metadata["managedFields"] = _managed_fields(metadata["labels"])
        status["images"] = _images()
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": status}


def _labels(name: str, os: str) -> Object:
    return {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": os,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": os,
        "node.kubernetes.io/instance-type": "m6i.2xlarge",
        "topology.kubernetes.io/region": "eu-west-1",
        "topology.kubernetes.io/zone": "eu-west-1a",
    }


def _annotations(ip: str | None, backend: str | None) -> Object:
    annotations = {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    if backend is not None:
        annotations |= {_FLANNEL + "backend-data": "null", _FLANNEL + "backend-type": backend}
        annotations[_FLANNEL + "kube-subnet-manager"] = "true"
        if ip is not None:
            annotations[_FLANNEL + ("public-ipv6" if ":" in ip else "public-ip")] = ip
    return annotations


def _conditions(ready: bool | None) -> list[Object]:
    times = {"lastHeartbeatTime": "2026-01-01T11:58:21Z", "lastTransitionTime": "2026-01-01T10:00:04Z"}
    if ready is None:
        unknown = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
        return [{"type": kind, "status": "Unknown", **unknown, **times} for kind in (*_CONDITIONS, "Ready")]
    conditions = [
        {"type": kind, "status": "False", "reason": reason, "message": message, **times}
        for kind, (reason, message) in _CONDITIONS.items()
    ]
    reason = "KubeletReady" if ready else "KubeletNotReady"
    message = "kubelet is posting ready status" if ready else "container runtime network not ready"
    return [*conditions, {"type": "Ready", "status": str(ready), "reason": reason, "message": message, **times}]


def _node_info(name: str, os: str, kubelet_version: str) -> Object:
    windows = os == "windows"
    return {
        "architecture": "amd64",
        "bootID": str(uuid.uuid5(_NAMESPACE, f"boot {name}")),
        "containerRuntimeVersion": "containerd://1.7.24",
        "kernelVersion": "10.0.20348.2849" if windows else "6.8.0-1021-aws",
        "kubeProxyVersion": kubelet_version,
        "kubeletVersion": kubelet_version,
        "machineID": uuid.uuid5(_NAMESPACE, f"machine {name}").hex,
        "operatingSystem": os,
        "osImage": "Windows Server 2022 Datacenter" if windows else "Ubuntu 24.04.1 LTS",
        "systemUUID": str(uuid.uuid5(_NAMESPACE, f"system {name}")),
    }


def _more_annotations(name: str) -> Object:
    return {
        "csi.volume.kubernetes.io/nodeid": f'{{"ebs.csi.aws.com":"i-{uuid.uuid5(_NAMESPACE, name).hex[:17]}"}}',
        "management.cattle.io/pod-limits": '{"cpu":"3","memory":"2Gi"}',
        "management.cattle.io/pod-requests": '{"cpu":"1720m","memory":"1466Mi","pods":"23"}',
        "rke.cattle.io/external-ip": "203.0.113.7",
    }


def _images() -> list[Object]:
    """Return 42 images (a kubelet reports 50 at most), each by digest and by tag."""
    images = []
    for number in range(42):
        repository = f"registry.example.com/platform/team-{number % 7}/service-{number:02}"
        digest = uuid.uuid5(_NAMESPACE, str(number)).hex * 2
        names = [f"{repository}@sha256:{digest}", f"{repository}:v1.{number}.3"]
        images.append({"names": names, "sizeBytes": 61_245_718 + 1_000_003 * number})
    return images


def _managed_fields(labels: Object) -> list[Object]:
    kubelet: Object = {
        "f:metadata": {
            "f:annotations": {".": {}, "f:volumes.kubernetes.io/controller-managed-attach-detach": {}},
            "f:labels": {".": {}} | {f"f:{label}": {} for label in labels},
        },
        "f:spec": {"f:providerID": {}},
    }
    fields = ("f:lastHeartbeatTime", "f:lastTransitionTime", "f:message", "f:reason", "f:status")
    conditions: Object = {f'k:{{"type":"{kind}"}}': {key: {} for key in fields} for kind in (*_CONDITIONS, "Ready")}
    status: Object = {"f:status": {"f:allocatable": {"f:memory": {}}, "f:conditions": conditions, "f:images": {}}}
    ipam: Object = {"f:spec": {"f:podCIDR": {}, "f:podCIDRs": {".": {}, 'v:"10.42.0.0/24"': {}}}}
    flannel = ("backend-data", "backend-type", "kube-subnet-manager", "public-ip")
    annotations: Object = {"f:metadata": {"f:annotations": {f"f:{_FLANNEL}{name}": {} for name in flannel}}}
    entries = (
        ("kubelet", kubelet, None),
        ("kube-controller-manager", ipam, None),
        ("flanneld", annotations, None),
        ("kubelet", status, "status"),
    )
    return [
        {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T11:58:21Z"}
        | {"fieldsType": "FieldsV1", "fieldsV1": fields}
        | ({"subresource": subresource} if subresource else {})
        for manager, fields, subresource in entries
    ]
