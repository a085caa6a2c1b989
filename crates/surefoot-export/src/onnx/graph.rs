//! A graph, built node after node.

use std::collections::BTreeSet;

use super::messages::{
    AttributeProto, Dimension, GraphProto, NodeProto, Tensor, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
};

/// The types of elements, by their numbers in ONNX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Float = 1,
    Int64 = 7,
    Text = 8,
    Double = 11,
}

/// An attribute of a node.
pub enum Attribute {
    Int(&'static str, i64),
    Ints(&'static str, Vec<i64>),
    Texts(&'static str, Vec<String>),
}

/// What a graph has so far. A value is named by the node that makes it.
#[derive(Default)]
pub struct Graph {
    graph: GraphProto,
    /// The names that columns have, and results.
    taken: BTreeSet<String>,
    next: usize,
}

impl Graph {
    /// An input, (rows × columns).
    pub fn input(&mut self, name: &str, kind: Type, columns: usize) -> String {
        self.taken.insert(name.to_string());
        self.graph.input.push(value(name, kind, &[Some(columns)]));
        name.to_string()
    }

    /// An output under this name, or the next that is free: (rows), or (rows × columns).
    pub fn output(&mut self, name: &str, from: &str, kind: Type, columns: Option<usize>) {
        let mut name = name.to_string();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        self.add("Identity", "", vec![from.into()], vec![name.clone()], Vec::new());
        let columns: Vec<_> = columns.map(Some).into_iter().collect();
        self.graph.output.push(value(&name, kind, &columns));
    }

    /// The result of an operator.
    pub fn node(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.node_with(operator, inputs, Vec::new())
    }

    pub fn node_with(&mut self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let result = self.name(operator);
        // the table of texts is of the operators for machine learning
        let domain = if operator == "LabelEncoder" { "ai.onnx.ml" } else { "" };
        let inputs = inputs.iter().map(ToString::to_string).collect();
        self.add(operator, domain, inputs, vec![result.clone()], attributes);
        result
    }

    pub fn cast(&mut self, value: &str, to: Type) -> String {
        self.node_with("Cast", &[value], vec![Attribute::Int("to", to as i64)])
    }

    /// The sum of each row, (rows × 1).
    pub fn row_sums(&mut self, value: &str) -> String {
        let axis = self.integers(&[1]);
        self.node_with("ReduceSum", &[value, &axis], vec![Attribute::Int("keepdims", 1)])
    }

    /// Numbers of these dimensions, of type `Float` or `Double`.
    pub fn numbers(&mut self, kind: Type, shape: &[usize], numbers: impl IntoIterator<Item = f64>) -> String {
        let bytes = match kind {
            Type::Float => numbers.into_iter().flat_map(|x| (x as f32).to_le_bytes()).collect(),
            _ => numbers.into_iter().flat_map(f64::to_le_bytes).collect(),
        };
        self.tensor(kind, shape, bytes)
    }

    pub fn integers(&mut self, numbers: &[i64]) -> String {
        self.tensor(Type::Int64, &[numbers.len()], numbers.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Numbers by their bytes.
    pub fn tensor(&mut self, kind: Type, shape: &[usize], bytes: Vec<u8>) -> String {
        self.initializer(kind, shape, TensorProto { raw_data: Some(bytes), ..TensorProto::default() })
    }

    pub fn texts(&mut self, texts: impl Iterator<Item = String>) -> String {
        let string_data: Vec<_> = texts.map(String::into_bytes).collect();
        self.initializer(Type::Text, &[string_data.len()], TensorProto { string_data, ..TensorProto::default() })
    }

    pub fn finish(mut self) -> GraphProto {
        self.graph.name = Some("surefoot".into());
        self.graph
    }

    fn initializer(&mut self, kind: Type, shape: &[usize], tensor: TensorProto) -> String {
        let name = self.name("constant");
        let dims = shape.iter().map(|&count| count as i64).collect();
        let (data_type, name_of) = (Some(kind as i32), Some(name.clone()));
        self.graph.initializer.push(TensorProto { dims, data_type, name: name_of, ..tensor });
        name
    }

    /// A name that nothing has.
    fn name(&mut self, of: &str) -> String {
        loop {
            self.next += 1;
            let name = format!("{of}_{}", self.next);
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    fn add(
        &mut self,
        operator: &str,
        domain: &str,
        input: Vec<String>,
        output: Vec<String>,
        attributes: Vec<Attribute>,
    ) {
        let attribute = attributes.into_iter().map(|attribute| match attribute {
            Attribute::Int(name, i) => {
                AttributeProto { name: Some(name.into()), r#type: Some(2), i: Some(i), ..AttributeProto::default() }
            }
            Attribute::Ints(name, ints) => {
                AttributeProto { name: Some(name.into()), r#type: Some(7), ints, ..AttributeProto::default() }
            }
            Attribute::Texts(name, texts) => {
                let strings = texts.into_iter().map(String::into_bytes).collect();
                AttributeProto { name: Some(name.into()), r#type: Some(8), strings, ..AttributeProto::default() }
            }
        });
        self.graph.node.push(NodeProto {
            input,
            name: output.first().map(|name| format!("node of {name}")),
            output,
            op_type: Some(operator.into()),
            domain: Some(domain.into()),
            attribute: attribute.collect(),
        });
    }
}

/// A value of so many rows, which a caller may choose, and these columns.
fn value(name: &str, kind: Type, columns: &[Option<usize>]) -> ValueInfoProto {
    let rows = Dimension { dim_param: Some("rows".into()), dim_value: None };
    let columns = columns.iter().flatten().map(|&n| Dimension { dim_value: Some(n as i64), dim_param: None });
    let shape = Some(TensorShapeProto { dim: std::iter::once(rows).chain(columns).collect() });
    let tensor_type = Some(Tensor { elem_type: Some(kind as i32), shape });
    ValueInfoProto { name: Some(name.into()), r#type: Some(TypeProto { tensor_type }) }
}
