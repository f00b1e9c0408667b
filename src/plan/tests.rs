use super::*;

#[test]
fn every_key_of_the_schema_is_required_and_none_is_open() {
    let mut left = vec![schema().schema];
    let mut objects = 0;
    while let Some(value) = left.pop() {
        if let Some(of) = value["properties"].as_object() {
            objects += 1;
            let keys: Vec<&String> = of.keys().collect();
            let required: Vec<&str> = value["required"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            assert_eq!(keys, required);
            assert_eq!(value["additionalProperties"], false);
            left.extend(of.values().cloned());
        }
        assert!(value["type"].is_string(), "{value}");
        left.extend(value.get("items").cloned());
    }
    assert_eq!(objects, 3);
}
