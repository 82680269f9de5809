internal import CLibyaml

/// The version of libyaml that runs, such as `0.2.5`.
public func libyamlVersion() -> String { String(cString: yaml_get_version_string()) }
