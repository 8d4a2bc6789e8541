# SPDX-License-Identifier: Apache-2.0
"""The Container Runtime Interface (k8s.io/cri-api, package runtime.v1), through which a kubelet drives containerd: gRPC calls
with dictionaries. Known are the calls, messages and fields that these tests use; a map is a list of keys and values."""

import functools

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

# Each message with its fields and their numbers; [] is a list, what begins with a capital another message.
MESSAGES = """
Entry: key=1 text, value=2 text
Id: value=1 int
Metadata: name=1 text, uid=2 text, namespace=3 text, attempt=4 uint
ContainerMetadata: name=1 text, attempt=2 uint
Namespaces: network=1 enum, pid=2 enum, ipc=3 enum, target_id=4 text
Profile: profile_type=1 enum, localhost_ref=2 text
Resources: cpu_period=1 int, cpu_quota=2 int, cpu_shares=3 int, memory_limit_in_bytes=4 int, oom_score_adj=5 int, cpuset_cpus=6 text
SandboxSecurity: namespace_options=1 Namespaces, run_as_user=3 Id, readonly_rootfs=4 bool, privileged=6 bool, seccomp=9 Profile
SandboxLinux: cgroup_parent=1 text, security_context=2 SandboxSecurity, sysctls=3 Entry[]
Dns: servers=1 text[], searches=2 text[], options=3 text[]
SandboxConfig: metadata=1 Metadata, hostname=2 text, log_directory=3 text, dns_config=4 Dns, labels=6 Entry[], annotations=7 Entry[], linux=8 SandboxLinux
RunPodSandboxRequest: config=1 SandboxConfig, runtime_handler=2 text
RunPodSandboxResponse: pod_sandbox_id=1 text
PodSandboxRequest: pod_sandbox_id=1 text
PodAddress: ip=1 text
PodStatus: id=1 text, metadata=2 Metadata, state=3 enum, network=5 PodAddress, runtime_handler=9 text
PodSandboxStatusResponse: status=1 PodStatus
Pod: id=1 text, metadata=2 Metadata, state=3 enum
ListPodSandboxResponse: items=1 Pod[]
Image: image=1 text
ImageStatusRequest: image=1 Image
ImageFound: id=1 text
ImageStatusResponse: image=1 ImageFound
Mount: container_path=1 text, host_path=2 text, readonly=3 bool, propagation=5 enum
Device: container_path=1 text, host_path=2 text, permissions=3 text
Capabilities: add_capabilities=1 text[], drop_capabilities=2 text[]
Security: capabilities=1 Capabilities, privileged=2 bool, namespace_options=3 Namespaces, run_as_user=5 Id, run_as_username=6 text, readonly_rootfs=7 bool, supplemental_groups=8 int[], no_new_privs=11 bool, run_as_group=12 Id, masked_paths=13 text[], readonly_paths=14 text[], seccomp=15 Profile
Linux: resources=1 Resources, security_context=2 Security
ContainerConfig: metadata=1 ContainerMetadata, image=2 Image, command=3 text[], args=4 text[], working_dir=5 text, envs=6 Entry[], mounts=7 Mount[], devices=8 Device[], labels=9 Entry[], annotations=10 Entry[], log_path=11 text, stdin=12 bool, tty=14 bool, linux=15 Linux
CreateContainerRequest: pod_sandbox_id=1 text, config=2 ContainerConfig, sandbox_config=3 SandboxConfig
CreateContainerResponse: container_id=1 text
ContainerRequest: container_id=1 text
StopContainerRequest: container_id=1 text, timeout=2 int
ContainerStatus: metadata=2 ContainerMetadata, state=3 enum, exit_code=7 int, reason=10 text, message=11 text, labels=12 Entry[], annotations=13 Entry[], mounts=14 Mount[]
ContainerStatusResponse: status=1 ContainerStatus
UpdateContainerResourcesRequest: container_id=1 text, linux=2 Resources
ExecSyncRequest: container_id=1 text, cmd=2 text[], timeout=3 int
ExecSyncResponse: stdout=1 bytes, stderr=2 bytes, exit_code=3 int
Number: value=1 uint
Memory: working_set_bytes=2 Number
Cpu: usage_core_nano_seconds=2 Number
Stats: cpu=2 Cpu, memory=3 Memory
ContainerStatsResponse: stats=1 Stats
Nothing:
"""

# Each call with its request and its answer.
CALLS = {
    "RunPodSandbox": ("RunPodSandboxRequest", "RunPodSandboxResponse"), "StopPodSandbox": ("PodSandboxRequest", "Nothing"),
    "RemovePodSandbox": ("PodSandboxRequest", "Nothing"), "PodSandboxStatus": ("PodSandboxRequest", "PodSandboxStatusResponse"),
    "ListPodSandbox": ("Nothing", "ListPodSandboxResponse"), "ImageStatus": ("ImageStatusRequest", "ImageStatusResponse"),
    "CreateContainer": ("CreateContainerRequest", "CreateContainerResponse"), "StartContainer": ("ContainerRequest", "Nothing"),
    "StopContainer": ("StopContainerRequest", "Nothing"), "RemoveContainer": ("ContainerRequest", "Nothing"),
    "ContainerStatus": ("ContainerRequest", "ContainerStatusResponse"), "ContainerStats": ("ContainerRequest", "ContainerStatsResponse"),
    "UpdateContainerResources": ("UpdateContainerResourcesRequest", "Nothing"), "ExecSync": ("ExecSyncRequest", "ExecSyncResponse"),
}

Field = descriptor_pb2.FieldDescriptorProto
# The numbers of an enumeration and plain ones are the same on the wire.
KINDS = {"text": Field.TYPE_STRING, "int": Field.TYPE_INT64, "uint": Field.TYPE_UINT64, "enum": Field.TYPE_INT32, "bool": Field.TYPE_BOOL,
         "bytes": Field.TYPE_BYTES}


def described(line):
    name, fields = line.split(":")
    message = descriptor_pb2.DescriptorProto(name=name)
    for text in filter(None, map(str.strip, fields.split(","))):
        label, kind = text.split(" ")
        field_name, number = label.split("=")
        field = message.field.add(name=field_name, number=int(number), label=Field.LABEL_REPEATED if kind.endswith("[]") else Field.LABEL_OPTIONAL)
        kind = kind.removesuffix("[]")
        field.type = KINDS.get(kind, Field.TYPE_MESSAGE)
        if kind not in KINDS:
            field.type_name = f".cri.{kind}"
    return message


@functools.cache
def message_types():
    file = descriptor_pb2.FileDescriptorProto(name="cri", package="cri", syntax="proto3")
    file.message_type.extend(described(line) for line in MESSAGES.strip().splitlines())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {message.name: message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(f"cri.{message.name}"))
            for message in file.message_type}


class Client:
    errors = grpc.RpcError

    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix://{socket}")

    def call(self, name, request, timeout):
        """The answer as a dictionary; raises grpc.RpcError."""
        asked, answered = (message_types()[message] for message in CALLS[name])
        service = "ImageService" if "Image" in name else "RuntimeService"
        method = self.channel.unary_unary(f"/runtime.v1.{service}/{name}", asked.SerializeToString, answered.FromString)
        answer = method(json_format.ParseDict(request, asked()), timeout=timeout)
        return json_format.MessageToDict(answer, preserving_proto_field_name=True, including_default_value_fields=True)

    def close(self):
        self.channel.close()
